# For The Littlest JupyterHub: copy to /opt/tljh/config/jupyterhub_config.d/ and run
#     sudo tljh-config reload
# docs/teaching/jupyterhub.md explains each choice.

c = get_config()  # noqa: F821 (JupyterHub defines it)

c.Spawner.environment = {
    # Read by everybody, written by nobody: what it holds is computed once for the whole class.
    "TLKIT_SHARED_CACHE": "/srv/tlkit/cache",
    # As many threads as a learner's share of the processor. Without this each kernel of a server
    # with 32 cores starts 32 threads, and they wait for one another.
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    # Threads then share two pools of memory, and less of it lies unused in each.
    "MALLOC_ARENA_MAX": "2",
    # TensorFlow's greetings would stand under the first cell.
    "TF_CPP_MIN_LOG_LEVEL": "2",
}

# A kernel holds its memory until it ends. End those that have done nothing for half an hour, even
# if the tab is still open: the notebook keeps its text and outputs, and runs again from the top.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_interval=120",
    "--MappingKernelManager.cull_connected=True",
]

# Thirty servers that start in the same second are slow to answer, which is no error.
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.concurrent_spawn_limit = 10
