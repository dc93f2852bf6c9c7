# Pseudo masks made anew by the segmentor of the first round, PASCAL VOC 2012; nothing trains.
_base_ = [
    '../../../_base_/models/deeplabv3plus_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_relabel.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1/segmentor_relabel'
load_from = 'work_dirs/fast/voc12/efficientnet_lite1/segmentor/final.pth'
model = dict(_delete_=True, type='mmwsss.SeedTTAModel', module=_base_.model)
model['module']['decode_head'].update(num_classes=21)
