# LayerCAM of the last two stages of the classifier of the quick start.
_base_ = '../../../affinitynet/scenes/r18/cam.py'
work_dir = 'work_dirs/layercam/scenes/r18/cam'
model = dict(type='mmwsss.LayerCAM', layers=('backbone.layer2', 'backbone.layer3'))
