# All 80 classes of COCO, with the small recipe and a MobileNetV2.
_base_ = '../_base_/pipeline.py'
settings = '../coco/settings.py'
work_dir = 'work_dirs/coco'
