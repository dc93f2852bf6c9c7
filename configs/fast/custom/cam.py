# A linear classifier on a frozen EfficientNet-Lite1.
_base_ = [
    './data.py',
    '../../_base_/models/fast_cam_efficientnet_lite1.py',
    '../../_base_/datasets/fast_cam.py',
    '../../_base_/schedules/linear_probe.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/custom/cam'
model = dict(head=dict(num_classes={{_base_.num_labels}}))
# The sizes of data.py; the classifier is fitted at a half of it.
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1].update(scale=(_base_.max_side // 2,) * 2)
test_pipeline[1].update(scale=(_base_.max_side,) * 2)
train_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline)
)
val_dataloader = dict(
    dataset=dict(dataset={{_base_.val_dataset}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline)
)
# Labels are measured wherever there is a mask.
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
