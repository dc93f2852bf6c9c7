# Pseudo masks by the cosine affinity of stored features and by colors; nothing is trained.
_base_ = [
    './data.py',
    '../../_base_/datasets/fast_affinity.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/custom/affinity'
model = dict(type='mmwsss.StoredMaps', feature_dir='work_dirs/fast/custom/cam/features')
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_dataset}},
        image_labels={{_base_.image_labels}},
        seed_dir='work_dirs/fast/custom/cam/seeds',
    )
)
