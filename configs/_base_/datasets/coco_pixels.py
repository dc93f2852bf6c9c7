_base_ = ['./coco.py', './pixels.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
