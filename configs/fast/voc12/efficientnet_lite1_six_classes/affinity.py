# Pseudo masks by the cosine affinity of stored features and by colors, six classes of PASCAL VOC 2012; nothing trains.
_base_ = ['../../../_base_/datasets/voc12_six_classes_fast_affinity.py', '../../../_base_/default_runtime.py']
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity'
model = dict(type='mmwsss.StoredMaps', feature_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/cam/features')
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/cam/seeds'))
