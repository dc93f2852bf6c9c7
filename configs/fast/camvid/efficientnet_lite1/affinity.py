# Pseudo masks by the cosine affinity of stored features and by colors, CamVid; nothing is trained.
_base_ = ['../../../_base_/datasets/camvid_fast_affinity.py', '../../../_base_/default_runtime.py']
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1/affinity'
model = dict(type='mmwsss.StoredMaps', feature_dir='work_dirs/fast/camvid/efficientnet_lite1/cam/features')
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/fast/camvid/efficientnet_lite1/cam/seeds'))
