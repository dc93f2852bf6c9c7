# AffinityNet on ResNet-38, CamVid, the published recipe.
_base_ = [
    '../../../_base_/models/affinity_resnet38d.py',
    '../../../_base_/datasets/camvid_affinity_published.py',
    '../../../_base_/schedules/psa_aff_resnet38d.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/resnet38d/affinity'
# From ImageNet, not from the classifier: that gives the published figures.
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/resnet38d_imagenet.pth', prefix='backbone.')
    )
)
train_dataloader = dict(dataset=dict(affinity_label_dir='work_dirs/affinitynet/camvid/resnet38d/cam/affinity_labels'))
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/camvid/resnet38d/cam/seeds'))
train_cfg = dict(max_iters=700)
