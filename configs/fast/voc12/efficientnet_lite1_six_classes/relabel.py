# Pseudo masks made anew by the classifier of pixels, six classes of PASCAL VOC 2012; nothing trains.
_base_ = [
    '../../../_base_/models/linear_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_six_classes_fast_relabel.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/relabel'
load_from = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/pixels/final.pth'
model = dict(
    _delete_=True,
    type='mmwsss.SeedTTAModel',
    module=_base_.model,
    feature_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/cam/features',
)
model['module']['decode_head'].update(num_classes=7)
