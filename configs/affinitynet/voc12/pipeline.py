# All 20 classes of PASCAL VOC 2012.
_base_ = '../_base_pipeline.py'
config_dir = '{{ fileDirname }}'
settings = 'settings.py'
work_dir = 'work_dirs/voc12'
