import WeirNet
