// connect-deno.js URL: a verified request with Deno's defaults.
try {
  const response = await fetch(Deno.args[0]);
  await response.body?.cancel();
  console.log('ok');
} catch (error) {
  console.error(error.message, error.cause?.message ?? '');
  Deno.exit(1);
}
