#!/bin/sh
# Put the course onto a server that has The Littlest JupyterHub. Run it there, as root:
#     sudo sh install.sh https://github.com/OWNER/REPOSITORY.git [BRANCH-OR-TAG]
# docs/teaching/jupyterhub.md explains it. Run it again to bring the server up to date.
set -eu

REPOSITORY=${1:?"Usage: sudo sh install.sh REPOSITORY [BRANCH-OR-TAG]"}
BRANCH=${2:-main}
COURSE=/srv/tlkit/course
CACHE=/srv/tlkit/cache
CONFIG=/opt/tljh/config/jupyterhub_config.d
PYTHON=/opt/tljh/user/bin/python

[ -x "$PYTHON" ] || { echo "The Littlest JupyterHub is not here: no $PYTHON" >&2; exit 1; }
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
    echo "The course needs Python 3.11 to 3.13; learners would have: $("$PYTHON" --version)" >&2
    exit 1
}
umask 022
mkdir -p /srv/tlkit

echo "1. The course, its packages and its weights, once for everybody"
rm -rf "$COURSE.new"
git clone --quiet --depth 1 --branch "$BRANCH" "$REPOSITORY" "$COURSE.new"
rm -rf "$COURSE"
mv "$COURSE.new" "$COURSE"
"$PYTHON" -m pip install --no-cache-dir --upgrade --requirement "$COURSE/requirements.txt"
"$PYTHON" -m pip install --no-cache-dir --no-deps --force-reinstall "$COURSE"

echo "2. Limits: a learner's memory, two cores, and an hour of patience with those who went away"
tljh-config set limits.memory 4G
tljh-config set limits.cpu 2
tljh-config set services.cull.timeout 3600
mkdir -p "$CONFIG"
cp "$COURSE/docs/teaching/jupyterhub/class_config.py" "$CONFIG/tlkit_class.py"

echo "3. The shared cache: what every learner would compute is computed now (a quarter of an hour)"
cd "$COURSE"
"$PYTHON" -m tools.places.warm_cache "$CACHE"

tljh-config reload
echo "Done. docs/teaching/jupyterhub.md says how to make the link for your learners."
