# All 20 classes of PASCAL VOC 2012, with the small recipe and a MobileNetV2.
_base_ = '../_base_/pipeline.py'
settings = '../voc12/settings.py'
work_dir = 'work_dirs/voc12'
