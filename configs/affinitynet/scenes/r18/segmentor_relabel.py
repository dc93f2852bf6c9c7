# Pseudo masks made anew by the segmentor of the quick start; nothing trains.
_base_ = [
    '../../../_base_/models/fcn_r18.py',
    '../../../_base_/datasets/scenes_relabel.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/scenes/r18/segmentor_relabel'
load_from = 'work_dirs/affinitynet/scenes/r18/segmentor/final.pth'
model = dict(_delete_=True, type='mmwsss.SeedTTAModel', module=_base_.model)
model['module']['decode_head'].update(num_classes=6)
