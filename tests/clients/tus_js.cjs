// Brings one file by tus-js-client, as a program would that knows nothing of larder: `node tus_js.cjs JSON`, with
// endpoint, key, file, metadata, and what else is to be told to the client as `options`. With `storage` it
// remembers its upload there, and goes on with it if there is one. With `terminate` it takes the upload back after
// so many bytes. Says in one line of JSON how it ended. NODE_PATH names where the client lies.
'use strict';

const fs = require('node:fs');
const tus = require('tus-js-client');

const ask = JSON.parse(process.argv[2]);
const requests = [];

const end = (told) => {
  console.log(JSON.stringify({ ...told, requests }));
  process.exit(told.error === undefined ? 0 : 1);
};

const storage = ask.storage === undefined ? {} : { urlStorage: new tus.FileUrlStorage(ask.storage) };
const upload = new tus.Upload(fs.createReadStream(ask.file), {
  endpoint: ask.endpoint,
  uploadSize: fs.statSync(ask.file).size,
  headers: { 'X-API-KEY': ask.key },
  metadata: ask.metadata,
  // Many short ones: larder may be starting again just now.
  retryDelays: Array.from({ length: 200 }, () => 50),
  fingerprint: async () => `larder-test-${ask.file}`,
  storeFingerprintForResuming: ask.storage !== undefined,
  removeFingerprintOnSuccess: true,
  onAfterResponse: (request, response) => {
    requests.push(`${request.getMethod()} ${response.getStatus()}`);
  },
  onChunkComplete: async (_size, accepted, _total) => {
    if (ask.terminate !== undefined && accepted >= ask.terminate) {
      await upload.abort(true);
      end({ url: upload.url });
    }
  },
  onSuccess: ({ lastResponse }) => {
    end({ url: upload.url, path: lastResponse.getHeader('Larder-Path') });
  },
  onError: (error) => {
    end({ error: String(error) });
  },
  ...storage,
  ...ask.options,
});

(async () => {
  if (ask.storage !== undefined) {
    const previous = await upload.findPreviousUploads();
    if (previous.length > 0) {
      upload.resumeFromPreviousUpload(previous[0]);
    }
  }
  upload.start();
})();
