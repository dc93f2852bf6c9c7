# As the released code does it: pairs of cells near the border of the grid are left out.
_base_ = './pipeline.py'
work_dir = 'work_dirs/voc12_vgg16_reference'
overrides = dict(border='reference')
