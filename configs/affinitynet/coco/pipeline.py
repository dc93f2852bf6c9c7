# All 80 classes of COCO.
_base_ = '../_base_pipeline.py'
config_dir = '{{ fileDirname }}'
settings = 'settings.py'
work_dir = 'work_dirs/coco'
