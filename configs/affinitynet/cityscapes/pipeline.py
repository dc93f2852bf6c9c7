# All classes of Cityscapes.
_base_ = '../_base_pipeline_without_background.py'
config_dir = '{{ fileDirname }}'
settings = 'settings.py'
work_dir = 'work_dirs/cityscapes'
