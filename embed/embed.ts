// The entry of /embed.js. Loading it twice does no harm.
import { OtpVerification } from './element.ts';

if (!customElements.get('otp-verification')) {
  customElements.define('otp-verification', OtpVerification);
}

declare global {
  interface HTMLElementTagNameMap {
    'otp-verification': OtpVerification;
  }
}
