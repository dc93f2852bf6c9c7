# Pseudo masks by the cosine affinity of stored features and by colors, CamVid with labels of tiles; nothing is trained.
_base_ = ['../../../_base_/datasets/camvid_tiles_fast_affinity.py', '../../../_base_/default_runtime.py']
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1_tiles/affinity'
model = dict(type='mmwsss.StoredMaps', feature_dir='work_dirs/fast/camvid/efficientnet_lite1_tiles/cam/features')
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/fast/camvid/efficientnet_lite1_tiles/cam/seeds'))
