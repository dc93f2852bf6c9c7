# Predicts VOC's test photographs, whose masks are not public, and packs the archive for its evaluation server, with the
# segmentor of any pipeline of this folder, named by the settings that it wrote:
#   tools/test.py configs/affinitynet/voc12/segmentor_test.py CHECKPOINT --settings work_dirs/NAME/settings.py [--tta]
_base_ = '../steps/segmentor.py'
test_pipeline = [dict(type='LoadPhoto'), {{_base_.test_resize}}, dict(type='PackSegInputs')]
test_dataloader = dict(dataset=dict(dataset=dict(ann_file={{_base_.test_list}}), pipeline=test_pipeline))
test_evaluator = dict(_delete_=True, type='VOCSubmissionMetric', output_dir={{_base_.submission_dir}})
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[
            {{_base_.tta_resizes}},
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='PackSegInputs')],
        ],
    ),
]
