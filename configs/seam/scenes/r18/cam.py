# SEAM on the network and the data of the quick start. Its images are small: their copies have half their size.
_base_ = '../../../affinitynet/scenes/r18/cam.py'
work_dir = 'work_dirs/seam/scenes/r18/cam'
model = dict(type='mmwsss.SEAM', view_scale=0.5)
