_base_ = '../efficientnet_lite1/relabel.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/relabel'
load_from = 'work_dirs/fast/voc12/efficientnet_lite1_part/pixels/final.pth'
test_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt')))
model = dict(feature_dir='work_dirs/fast/voc12/efficientnet_lite1_part/cam/features')
