export default () => ({ bucket: 'a' });
