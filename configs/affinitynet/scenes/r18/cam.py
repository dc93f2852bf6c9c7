# The classifier of the quick start: a slim ResNet-18 from scratch, on the built-in data set.
_base_ = [
    '../../../_base_/models/cam_r18.py',
    '../../../_base_/datasets/scenes_cam.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/scenes/r18/cam'
model = dict(head=dict(num_classes=5))
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_cfg = dict(max_iters=1000)
