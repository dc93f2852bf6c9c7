# AffinityNet on VGG-16, CamVid, the published recipe.
_base_ = [
    '../../../_base_/models/affinity_vgg16.py',
    '../../../_base_/datasets/camvid_affinity_published.py',
    '../../../_base_/schedules/psa_aff_vgg16.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/vgg16/affinity'
# From ImageNet, not from the classifier: that gives the published figures.
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='data/weights/vgg16_imagenet.pth', prefix='backbone.'))
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(104.008, 116.669, 122.675))
train_dataloader = dict(
    dataset=dict(affinity_label_dir='work_dirs/affinitynet/camvid/vgg16/cam/affinity_labels', pipeline=train_pipeline)
)
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/camvid/vgg16/cam/seeds'))
train_cfg = dict(max_iters=700)
