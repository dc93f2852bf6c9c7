# As the released code has it: scaled images are rounded to the pixel instead of to whole cells.
_base_ = '../resnet38d/cam.py'
work_dir = 'work_dirs/affinitynet/cityscapes/resnet38d_reference/cam'
model = dict(test_cfg=dict(size_divisor=1))
