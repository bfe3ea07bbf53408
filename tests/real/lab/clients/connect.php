<?php
// connect.php URL: a verified request with PHP's stream wrapper.
ini_set('display_errors', 'stderr');
if (file_get_contents($argv[1], false, stream_context_create(['http' => ['timeout' => 20]])) === false) {
    exit(1);
}
echo "ok\n";
