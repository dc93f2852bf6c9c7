# The classifier on VGG-16, COCO, the published recipe.
_base_ = [
    '../../../_base_/models/cam_vgg16.py',
    '../../../_base_/datasets/coco_cam_published.py',
    '../../../_base_/schedules/psa_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/coco/vgg16/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/vgg16_imagenet.pth', prefix='backbone.'),
    ),
    head=dict(num_classes=80),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(104.008, 116.669, 122.675))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=76950)  # as many epochs as on VOC: 15 of some 82,000 images in batches of 16
