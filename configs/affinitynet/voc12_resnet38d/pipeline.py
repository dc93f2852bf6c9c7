# All 20 classes of PASCAL VOC 2012 with ResNet-38, as published but for the border of the grid.
_base_ = '../_base_pipeline.py'
config_dir = '{{ fileDirname }}'
settings = 'settings.py'
work_dir = 'work_dirs/voc12_resnet38d'
