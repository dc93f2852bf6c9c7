# All classes of CamVid, with the small recipe and a MobileNetV2.
_base_ = '../_base_/pipeline_without_background.py'
settings = '../camvid/settings.py'
work_dir = 'work_dirs/camvid'
