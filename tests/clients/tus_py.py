"""Brings one file by tuspy, as a program would that knows nothing of larder: `tus_py.py JSON`, with endpoint, key,
file, metadata, and what else is to be told to the client as `options`. With `storage` it remembers its upload there,
and goes on with it if there is one. Says in one line of JSON how it ended."""

import json
import sys

from tusclient import client
from tusclient.storage import filestorage

ask = json.loads(sys.argv[1])
options = dict(ask.get("options", {}))
if "storage" in ask:
    options.update(store_url=True, url_storage=filestorage.FileStorage(ask["storage"]))
uploader = client.TusClient(ask["endpoint"], headers={"X-API-KEY": ask["key"]}).uploader(
    ask["file"], metadata=ask["metadata"], retries=200, retry_delay=0.05, **options)
begun_at = uploader.offset
uploader.upload()
last = uploader.request.response_headers if uploader.request else {}
print(json.dumps({"url": uploader.url, "path": last.get("larder-path"), "begun_at": begun_at}))
