# Pseudo masks made anew by the classifier of pixels, CamVid with labels of tiles; nothing trains.
_base_ = [
    '../../../_base_/models/linear_efficientnet_lite1.py',
    '../../../_base_/datasets/camvid_tiles_fast_relabel.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1_tiles/relabel'
load_from = 'work_dirs/fast/camvid/efficientnet_lite1_tiles/pixels/final.pth'
model = dict(
    _delete_=True,
    type='mmwsss.SeedTTAModel',
    module=_base_.model,
)
model['module']['decode_head'].update(num_classes=11)
