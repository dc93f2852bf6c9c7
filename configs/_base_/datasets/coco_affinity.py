_base_ = ['./coco.py', './affinity.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
test_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}))
