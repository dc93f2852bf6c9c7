# As the released code has it: scaled images are rounded to the pixel instead of to whole cells.
_base_ = '../vgg16/cam.py'
work_dir = 'work_dirs/affinitynet/voc12/vgg16_reference/cam'
model = dict(test_cfg=dict(size_divisor=1))
