# As the released code does it; _base_/settings.py says what that is.
_base_ = './pipeline_vgg16.py'
work_dir = 'work_dirs/camvid_vgg16_reference'
overrides = dict(reference=True)
