# The classifier on VGG-16, PASCAL VOC 2012, the published recipe.
_base_ = [
    '../../../_base_/models/cam_vgg16.py',
    '../../../_base_/datasets/voc12_cam_published.py',
    '../../../_base_/schedules/psa_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/vgg16/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/vgg16_imagenet.pth', prefix='backbone.'),
    ),
    head=dict(num_classes=20),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(104.008, 116.669, 122.675))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=9915)  # 15 epochs of 10,582 images in batches of 16
