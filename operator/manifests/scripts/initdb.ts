// The script that makes a shard's data folder before its PostgreSQL starts. POSIX sh and the tools every image has. Text,
// not a file: what makes manifests reads nothing.

import { INITDB } from '../../topology/postgres-settings.ts';

/**
 * $1: folder of the volume, which becomes $1/data. $2: file with the superuser's password. Makes the folder once: it
 * gets its name when everything in it is on the disk, so cut off half-way it begins anew. Some drivers of volumes give
 * the group more than PostgreSQL allows, each time a volume is mounted; who may log in is written each time, too.
 *
 * initdb starts the server, which takes huge pages where the node has some, though the pod may use none: a bus error.
 * From version 16 on it can be told.
 */
export const INITDB_SCRIPT = `set -eu
umask 077
cd "$1"
if [ ! -d data ]; then
  rm -rf data.unfinished
  huge_pages=
  if initdb --help | grep -q -e --set=; then huge_pages=--set=huge_pages=off; fi
  initdb -D data.unfinished --pwfile "$2" $huge_pages ${INITDB.join(' ')}
  mv data.unfinished data
  sync .
fi
chmod 700 data
echo 'host all all all scram-sha-256' > data/pg_hba.conf
`;
