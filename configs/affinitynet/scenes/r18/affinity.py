# AffinityNet of the quick start. No pretrained weights exist for this data set: it starts from the classifier.
_base_ = [
    '../../../_base_/models/affinity_r18.py',
    '../../../_base_/datasets/scenes_affinity.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/scenes/r18/affinity'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/affinitynet/scenes/r18/cam/final.pth', prefix='backbone.'
        )
    )
)
train_dataloader = dict(dataset=dict(affinity_label_dir='work_dirs/affinitynet/scenes/r18/cam/affinity_labels'))
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/scenes/r18/cam/seeds'))
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_iters=320)
