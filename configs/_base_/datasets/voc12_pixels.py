_base_ = ['./voc12.py', './pixels.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
