# All classes of Cityscapes, with the small recipe and a MobileNetV2.
_base_ = '../_base_/pipeline_without_background.py'
settings = '../cityscapes/settings.py'
work_dir = 'work_dirs/cityscapes'
