# AffinityNet on ResNet-50, Cityscapes, the published recipe. The schedule is that of ResNet-38: none is
# published for this one.
_base_ = [
    '../../../_base_/models/affinity_resnet50.py',
    '../../../_base_/datasets/cityscapes_affinity_published.py',
    '../../../_base_/schedules/psa_aff_resnet38d.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/cityscapes/resnet50/affinity'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth')
    )
)
train_dataloader = dict(
    dataset=dict(affinity_label_dir='work_dirs/affinitynet/cityscapes/resnet50/cam/affinity_labels')
)
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/cityscapes/resnet50/cam/seeds'))
train_cfg = dict(max_iters=2800)
