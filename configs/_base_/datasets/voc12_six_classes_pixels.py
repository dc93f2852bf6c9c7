_base_ = ['./voc12_six_classes.py', './pixels.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
