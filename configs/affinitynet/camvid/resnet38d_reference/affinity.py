# As the released code has it: pairs of cells near the border of the grid are left out, and the padding of crops is
# labeled as background.
_base_ = '../resnet38d/affinity.py'
work_dir = 'work_dirs/affinitynet/camvid/resnet38d_reference/affinity'
model = dict(head=dict(border='reference'))
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(seg_pad_val=0)
train_dataloader = dict(
    dataset=dict(
        affinity_label_dir='work_dirs/affinitynet/camvid/resnet38d_reference/cam/affinity_labels',
        pipeline=train_pipeline,
    )
)
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/camvid/resnet38d_reference/cam/seeds'))
