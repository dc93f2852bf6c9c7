# Step 5: a segmentor on the pseudo masks of step 4, measured on true masks.
_base_ = [
    '../networks/segmentor_{{$MMWSSS_SEGMENTOR:deeplabv3plus_mobilenet_v2}}.py',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/segmentor.py',
]
model = dict(decode_head=dict(num_classes={{_base_.num_classes}}))
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='pseudo_mask'),
    {{_base_.segmentor_resize}},
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size={{_base_.segmentor_crop}}, pad_val={{_base_.pad_val}}),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    {{_base_.test_resize}},
    dict(type='LoadAnnotations'),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size={{_base_.segmentor_batch_size}},
    num_workers={{_base_.num_workers}},
    sampler=dict(oversample_thr={{_base_.segmentor_oversample_thr}}),
    dataset=dict(
        dataset={{_base_.train_photos}},
        with_background={{_base_.with_background}},
        pseudo_mask_dir={{_base_.pseudo_mask_dir}},
        pipeline=train_pipeline,
    ),
)
# The wrapper gives the photographs and masks of the data set inside it.
val_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', dataset={{_base_.val_photos}}, pipeline=test_pipeline, test_mode=True)
)
test_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', dataset={{_base_.test_photos}}, pipeline=test_pipeline, test_mode=True)
)
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[
            {{_base_.tta_resizes}},
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWeakInputs')],
        ],
    ),
]
tta_model = {{_base_.segmentor_tta_model}}
test_tta = {{_base_.segmentor_tta}}
train_cfg = dict(max_iters={{_base_.segmentor_iters}})
