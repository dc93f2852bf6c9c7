# As the released code does it; _base_/settings.py says what that is.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/cityscapes_resnet38d_reference'
overrides = dict(reference=True)
