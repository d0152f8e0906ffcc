// The hosted flow by plain forms.
import { waysBack } from '../harness/engines/hosted.ts';
import { test } from '../harness/engines/test.ts';

test.use({ script: false });

waysBack(false);
