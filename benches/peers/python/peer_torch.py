"""PyTorch, eager or (--compile) by torch.compile."""

import torch
from torch import nn
from torch.nn import functional as F

import common

args = common.arguments(compile="compile the step")
torch.set_num_threads(2)
torch.manual_seed(1)


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.first, self.second = Normalized(inputs, filters, 3, stride), Normalized(filters, filters, 3)
        self.shortcut = nn.Identity() if stride == 1 else Normalized(inputs, filters, 1, stride)

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.second(F.relu(self.first(x))))


class Normalized(nn.Sequential):
    def __init__(self, inputs, filters, kernel, stride=1):
        conv = nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(filters))


def resnet20():
    blocks, inputs = [Normalized(3, 16, 3), nn.ReLU()], 16
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            blocks.append(Residual(inputs, filters, 2 if stage and not block else 1))
            inputs = filters
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class TwoWays(nn.Module):
    """Two bidirectional LSTMs with one bias each: the second of PyTorch's two stays zero."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20_000, 128)
        self.first = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        self.second = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        self.out = nn.Linear(128, 1)
        for name, weight in self.named_parameters():
            if "bias_hh" in name:
                nn.init.zeros_(weight)
                weight.requires_grad = False

    def forward(self, x):
        _, (h, _) = self.second(self.first(self.embedding(x))[0])
        return self.out(torch.cat([h[0], h[1]], 1))


class MiniGPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(5000, 256), nn.Embedding(80, 256)
        self.query, self.key, self.value = (nn.Linear(256, 512) for _ in range(3))
        self.joined, self.wide, self.narrow = nn.Linear(512, 256), nn.Linear(256, 256), nn.Linear(256, 256)
        self.norms = nn.ModuleList(nn.LayerNorm(256, eps=1e-6) for _ in range(2))
        self.out = nn.Linear(256, 5000)

    def forward(self, x):
        x = self.tokens(x) + self.positions.weight
        heads = (f(x).unflatten(-1, (2, 256)).transpose(1, 2) for f in (self.query, self.key, self.value))
        found = F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2)
        x = self.norms[0](x + F.dropout(self.joined(found), 0.1, self.training))
        hidden = self.narrow(F.relu(self.wide(x)))
        return self.out(self.norms[1](x + F.dropout(hidden, 0.1, self.training)))


MODELS = {
    "xor": lambda: nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 1)),
    "mlp": lambda: nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10)),
    "resnet20": resnet20, "bilstm": TwoWays, "minigpt": MiniGPT,
}
model = MODELS[args.model]()
learned = [w for w in model.parameters() if w.requires_grad]
common.check(args, sum(w.numel() for w in learned))
model.train(args.trains)


def tensors(x, y):
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    x = x.permute(0, 3, 1, 2).contiguous() if x.dim() == 4 else x
    return x, y if y.is_floating_point() else y.long()


batches = [tensors(x, y) for x, y in common.data(args)]
if args.model in ("xor", "resnet20"):
    optimizer = torch.optim.SGD(learned, 0.1, momentum=0.9 if args.model == "resnet20" else 0)
else:
    optimizer = torch.optim.Adam(learned, 1e-3, eps=1e-7)


def loss_of(x, y):
    out = model(x)
    if args.model in ("xor", "bilstm"):
        return F.binary_cross_entropy_with_logits(out, y)
    return F.cross_entropy(out.flatten(0, -2), y.flatten())


forward = torch.compile(loss_of) if args.compile else loss_of
predict = torch.compile(model) if args.compile else model


def train_step(index):
    optimizer.zero_grad(set_to_none=True)
    loss = forward(*batches[index % len(batches)])
    loss.backward()
    optimizer.step()
    return loss.detach()


@torch.inference_mode()
def infer_step(index):
    torch.softmax(predict(batches[index % len(batches)][0]), -1)


name = "torch-compiled" if args.compile else "torch"
common.measure(args, name, torch.__version__, train_step if args.trains else infer_step)
