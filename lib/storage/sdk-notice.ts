/**
 * The AWS SDK announces on stderr, once a thread, that it will leave Node 20 behind: of no use to those who run a job.
 * Imported for its effect before a client is made.
 */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
