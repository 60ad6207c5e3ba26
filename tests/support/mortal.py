"""Workers that die."""

from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor


class Mortal(ThreadPoolExecutor):
    """Its workers die after `lives` tasks, as all workers of a pool do when one is killed for its memory."""

    def __init__(self, lives):
        super().__init__(1)
        self.lives = lives

    def submit(self, function, /, *args, **kwargs):
        self.lives -= 1
        if self.lives >= 0:
            return super().submit(function, *args, **kwargs)
        future = Future()
        future.set_exception(BrokenExecutor("a worker was killed"))
        return future
