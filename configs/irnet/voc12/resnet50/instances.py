# Masks of single objects by IRNet on ResNet-50, PASCAL VOC 2012; nothing is trained:
# python tools/test.py THIS_FILE work_dirs/irnet/voc12/resnet50/affinity/final.pth
_base_ = '../../../affinitynet/voc12/resnet50/affinity.py'
work_dir = 'work_dirs/irnet/voc12/resnet50/instances'
model = dict(
    type='mmwsss.IRNet',
    stem='maxpool',
    head=dict(_delete_=True, type='mmwsss.IRNetHead', stride=4, radius=5, training_radius=10, border='reference'),
    instances=True,
)
train_dataloader = None
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/irnet/voc12/resnet50/cam/seeds'))
train_cfg = None
optim_wrapper = None
param_scheduler = None
custom_hooks = []
test_cfg = dict(
    chains=dict(
        instances=dict(
            refiners=[dict(type='mmwsss.InstanceWalk', beta=10, num_steps=256)],
            labeler=dict(type='mmwsss.InstanceLabeler', background_score=0.25, smallest_share=0.01),
        ),
    ),
)
test_evaluator = [
    dict(
        type='mmwsss.InstanceMetric',
        chain='instances',
        instance_dir='data/VOCdevkit/VOC2012/SegmentationObject',
        output_dir='instances',
    ),
]
