# The built-in data set: the quick start.
_base_ = '../_base_/pipeline.py'
config_dir = '{{ fileDirname }}'
settings = 'settings.py'
work_dir = 'work_dirs/scenes'
